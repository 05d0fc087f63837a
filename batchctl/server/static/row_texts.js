/* The text of a request and of an answer, in the forms that the two APIs have. */

/** What the model was asked: the texts of all contents, with the role where it is not the user's. Empty if there is none. */
export function requestText(request) {
  if (!request) return "";
  const system = partsText(request.systemInstruction ?? request.system_instruction);
  const contents = [request.contents ?? request.content ?? []].flat().map((content) => {
    const text = partsText(content);
    return content?.role && content.role !== "user" ? `${content.role}: ${text}` : text;
  });
  return [system && `system: ${system}`, ...contents].filter(Boolean).join("\n\n");
}

/** What came back: the error's message, the answer's text without thoughts, or the reason why there is none. */
export function answerText({ response, error }) {
  if (error) return typeof error === "string" ? error : (error.message ?? "");
  if (!response) return "";
  const [candidate] = response.candidates ?? [];
  const text = partsText(candidate?.content, (part) => !part.thought);
  if (text) return text;
  if (response.embedding) return `a vector of ${(response.embedding.values ?? []).length} numbers`;
  return candidate?.finishReason ? `no text: ${candidate.finishReason}` : blocked(response);
}

function blocked(response) {
  const reason = response.promptFeedback?.blockReason;
  return reason ? `the prompt was blocked: ${reason}` : "";
}

function partsText(content, fits = () => true) {
  if (typeof content === "string") return content;
  const parts = [content?.parts ?? []].flat();
  return parts
    .filter(fits)
    .map((part) => part.text ?? partName(part))
    .filter(Boolean)
    .join("\n");
}

/** "[image/png]" for a part that is no text. */
function partName(part) {
  const data = part.inlineData ?? part.inline_data ?? part.fileData ?? part.file_data;
  return data ? `[${data.mimeType ?? data.mime_type ?? "data"}]` : "";
}
