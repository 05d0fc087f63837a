"""A rehearsal: the stack on the embedded emulator, with copies of its state and results and a moved clock."""
