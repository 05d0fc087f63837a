"""The web page of a stack, and the data behind it: reads only, over what `watch`, `ui` and `report` hand in.

Needs the extra `server` (Starlette and uvicorn), except for `report`, which writes the page into a file.
"""
