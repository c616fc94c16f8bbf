"""One registry of operations and its faces: HTTP, MCP, a client, a skill for agents, a page for people."""
