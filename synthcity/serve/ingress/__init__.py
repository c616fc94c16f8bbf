"""The one public door: HAProxy as Ray configures it, made narrow, watched, and nothing else open beside it."""
