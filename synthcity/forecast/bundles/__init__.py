"""Forecasters on the disk: written, verified, told apart by where they come from, and joined."""
