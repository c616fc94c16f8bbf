"""What a round is made of: its prices, its plan, its search, its judgement, its challenger."""
