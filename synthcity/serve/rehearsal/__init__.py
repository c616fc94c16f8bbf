"""A miner's day in a minute: prices, chain and validator are stand-ins on this machine, the miner is the real one."""
