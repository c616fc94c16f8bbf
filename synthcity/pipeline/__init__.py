"""The loop that runs itself: data, plan, search, check, publish, challenge, and again, from one journal."""
