"""Why a job does not have an action, and what would have to be otherwise.

Nothing here knows a rule: the answer is read from the trail, and each way out is tried by deciding again with one thing
changed. So no answer can differ from what the rules do.
"""
