"""The control: inputs drawn from a small grammar, tested like those of a language model, at equal trials."""
