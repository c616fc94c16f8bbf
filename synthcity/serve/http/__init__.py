"""One ASGI application: the axon that validators speak to, and REST for people."""
