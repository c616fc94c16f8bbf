"""How a machine that only ssh reaches becomes a node, and how it ends itself."""
