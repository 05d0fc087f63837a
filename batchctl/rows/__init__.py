"""Request rows and result rows: checked, hashed, encoded on the way out; joined, sorted, kept on the way back.

Owns the files of rows and the results folder. Calls no API and decides nothing. Import from the modules.
"""
