"""What an operator has to know while a miner runs: facts, alarms, and where they are told."""
