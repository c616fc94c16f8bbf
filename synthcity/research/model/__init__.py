"""The experimenter: a language model that looks, writes inputs, has them tested, and says what is made of them."""
