"""A state that several machines share: a copy of it in a private file, and every commit written back before it counts.

`model.state_objects` is the protocol of the shared place. `lease` decides who may write.
"""
