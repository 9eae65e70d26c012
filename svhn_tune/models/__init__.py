"""Model families, one module each; layer_types.py counts layers, hypermodel.py builds them."""
