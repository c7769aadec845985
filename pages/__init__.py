"""A page as a browser will meet it: its files, its headers and its routing judged together."""
