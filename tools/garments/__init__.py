"""Parts of the garment drawing program: cloth, folds, light and the garments themselves."""
