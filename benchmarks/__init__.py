"""The figures of the product, measured on real servers, kernels, browsers and models: ``make bench``."""
