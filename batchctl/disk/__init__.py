"""Opens files that others may have created, without following links, and creates private files and folders.

All other packages may import it, the emulator too. It does not know the content of files. Raises OSError.
"""
