"""Output for people and programs: text, JSON, YAML, Markdown, and the progress of a run.

Owns every format and the escaping of outside text. Decides nothing and never prints by itself: functions give
text, or write to a stream or rich console that is passed in. Import from the modules, not from this package.
"""
