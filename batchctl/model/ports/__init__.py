"""The protocols between packages: the engine uses them, and other packages implement them."""
