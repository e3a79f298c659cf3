"""Graded tasks, worked by the product's own agent."""
