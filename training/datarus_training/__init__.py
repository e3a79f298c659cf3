"""Training and evaluation of the models that datarus-jupyter serves, with the product's own agent as environment."""
