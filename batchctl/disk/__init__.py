"""Files and folders that others may have put there: opened without following links, made for their owner alone.

Below all other rooms, the emulator's too. Knows nothing of what is in a file. Raises OSError.
"""
