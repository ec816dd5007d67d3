"""The parts a collector is made of, each on top of the one before: books, headlines, reading, pricing, own."""
