"""The live screen of `apply`, `watch` and `status -w` on a terminal.

`overview` orders and counts the jobs once for each plan; `draw` makes the lines of the screen of values, without
reading a clock or a terminal; `painter` writes the lines that differ; `live` implements `Progress` with these.
"""
