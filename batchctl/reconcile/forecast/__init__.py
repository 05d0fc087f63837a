"""When jobs end, by the stack's own history. An end that the history does not show is unknown: nothing is guessed."""
