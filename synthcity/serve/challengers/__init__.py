"""Who races for a champion's place: where bundles turn up, how a miner keeps them, what both have earned."""
