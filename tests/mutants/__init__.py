"""Small faults planted in copies of the source, each of which the tests of its room must see."""
