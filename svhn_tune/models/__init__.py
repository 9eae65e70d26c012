"""One module a family of models: layers.py says what it consists of, cnn.py builds it in Keras."""
