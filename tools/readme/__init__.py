"""What fills the generated blocks of the documents, where update_readme.py does not do it itself."""
