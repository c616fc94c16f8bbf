"""Mining: answers to validators in time, from live prices, and what they were worth."""
