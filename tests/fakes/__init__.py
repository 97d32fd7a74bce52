"""Small real implementations of the product's interfaces, without a network."""
