"""What the chain says of validators and of this miner, by way of a process of its own."""
