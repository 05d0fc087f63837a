/*
 * A layered drawing of jobs: each is in the column of its rank, right of all that it depends on.
 *
 * An edge over several columns gets a place in each of them, so that it does not run through a job. The order in the
 * columns comes from the mean position of the neighbours, in a few sweeps; then each place moves towards its neighbours
 * as far as the others let it.
 */

export const NODE_WIDTH = 210;
export const NODE_HEIGHT = 46;
const GAP_X = 90;
const GAP_Y = 14;
const BEND_HEIGHT = 10;
const ORDER_SWEEPS = 8;
const MOVE_SWEEPS = 12;
const MARGIN = 16;

/** {nodes: [{...node, x, y}], edges: [{...edge, points}], width, height}, in pixels. */
export function layeredLayout(nodes, edges) {
  const places = new Map(nodes.map((node) => [node.job, place(node.rank, NODE_HEIGHT, node)]));
  const known = edges.filter((edge) => places.has(edge.from) && places.has(edge.to));
  const routes = known.map((edge) => route(edge, places));
  const columns = intoColumns([...places.values(), ...routes.flatMap(({ path }) => path.slice(1, -1))]);
  for (let sweep = 0; sweep < ORDER_SWEEPS; sweep += 1) orderColumns(columns, sweep % 2 === 0);
  stack(columns);
  for (let sweep = 0; sweep < MOVE_SWEEPS; sweep += 1) moveColumns(columns, sweep % 2 === 0);
  return drawn(places, routes, columns);
}

function place(rank, height, node) {
  return { rank, height, node, before: [], after: [], order: 0, y: 0 };
}

/** The places of an edge, with a bend in each column between its ends. Neighbours are joined along it. */
function route(edge, places) {
  const from = places.get(edge.from);
  const to = places.get(edge.to);
  const path = [from];
  for (let rank = from.rank + 1; rank < to.rank; rank += 1) path.push(place(rank, BEND_HEIGHT, null));
  path.push(to);
  for (let at = 1; at < path.length; at += 1) {
    path[at - 1].after.push(path[at]);
    path[at].before.push(path[at - 1]);
  }
  return { edge, path };
}

function intoColumns(all) {
  const columns = [];
  for (const one of all) (columns[one.rank] ??= []).push(one);
  for (let rank = 0; rank < columns.length; rank += 1)
    (columns[rank] ??= []).forEach((one, order) => (one.order = order));
  return columns;
}

function orderColumns(columns, forward) {
  for (const column of forward ? columns : [...columns].reverse()) {
    const wish = new Map(
      column.map((one) => [one, mean(forward ? one.before : one.after, (near) => near.order) ?? one.order]),
    );
    column.sort((one, other) => wish.get(one) - wish.get(other) || one.order - other.order);
    column.forEach((one, order) => (one.order = order));
  }
}

function mean(list, value) {
  return list.length ? list.reduce((sum, one) => sum + value(one), 0) / list.length : null;
}

/** Columns one below the other place, each in the middle of the highest one. */
function stack(columns) {
  const heights = columns.map((column) => column.reduce((sum, one) => sum + one.height + GAP_Y, 0));
  const highest = Math.max(0, ...heights);
  columns.forEach((column, rank) => {
    let y = (highest - heights[rank]) / 2;
    for (const one of column) {
      one.y = y;
      y += one.height + GAP_Y;
    }
  });
}

/** Move each place to the middle of its neighbours; the order and the gaps stay. */
function moveColumns(columns, forward) {
  for (const column of forward ? columns : [...columns].reverse()) {
    for (const one of column) {
      const wish = mean([...one.before, ...one.after], middle);
      if (wish !== null) one.y = wish - one.height / 2;
    }
    pushApart(column);
  }
}

function middle(one) {
  return one.y + one.height / 2;
}

/** Groups of places that touch share the shift that is needed, so that none drifts away. */
function pushApart(column) {
  const groups = [];
  for (const one of column) {
    groups.push({ members: [one], y: one.y, height: one.height });
    while (groups.length > 1 && groups.at(-2).y + groups.at(-2).height + GAP_Y > groups.at(-1).y) {
      const [upper, lower] = groups.splice(-2);
      const height = upper.height + GAP_Y + lower.height;
      const wish =
        (upper.y * upper.members.length + (lower.y - upper.height - GAP_Y) * lower.members.length) /
        (upper.members.length + lower.members.length);
      groups.push({ members: [...upper.members, ...lower.members], y: wish, height });
    }
  }
  for (const group of groups) {
    let y = group.y;
    for (const one of group.members) {
      one.y = y;
      y += one.height + GAP_Y;
    }
  }
}

function drawn(places, routes, columns) {
  const top = Math.min(0, ...columns.flat().map((one) => one.y));
  const bottom = Math.max(0, ...columns.flat().map((one) => one.y + one.height));
  const x = (one) => MARGIN + one.rank * (NODE_WIDTH + GAP_X);
  const y = (one) => MARGIN + one.y - top;
  return {
    nodes: [...places.values()].map((one) => ({ ...one.node, x: x(one), y: y(one), order: one.order })),
    edges: routes.map(({ edge, path }) => ({
      ...edge,
      points: path.map((one, at) => pointsOf(one, at, path.length, x(one), y(one))).flat(),
    })),
    width: 2 * MARGIN + columns.length * NODE_WIDTH + Math.max(0, columns.length - 1) * GAP_X,
    height: 2 * MARGIN + bottom - top,
  };
}

/** An edge leaves at the right of a job, crosses a column on a level, and arrives at the left. */
function pointsOf(one, at, length, x, y) {
  const level = y + one.height / 2;
  if (at === 0) return [[x + NODE_WIDTH, level]];
  if (at === length - 1) return [[x, level]];
  return [
    [x, level],
    [x + NODE_WIDTH, level],
  ];
}

/** The SVG path through the points: curves between columns, straight lines across them. */
export function edgePath(points) {
  const words = [`M${points[0].map(Math.round)}`];
  for (let at = 1; at < points.length; at += 1) {
    const [fromX, fromY] = points[at - 1].map(Math.round);
    const [toX, toY] = points[at].map(Math.round);
    const half = Math.round((fromX + toX) / 2);
    words.push(at % 2 === 1 ? `C${half},${fromY} ${half},${toY} ${toX},${toY}` : `L${toX},${toY}`);
  }
  return words.join("");
}
