"""The rules of Subnet 50 (Synth): competitions, scoring, leaderboard, submission format. NumPy only."""
