"""What trains a model from one seed, or from several together: on TensorFlow, or on JAX."""
