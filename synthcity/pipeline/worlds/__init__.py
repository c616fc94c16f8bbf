"""Where a pipeline lives: real prices, or a rehearsal with stand-ins."""
