"""A trained model as a folder of texts, named by its content."""
