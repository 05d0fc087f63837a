"""Lines that one program writes differ in little but their texts: a form is such a line with gaps. Owns no format."""
