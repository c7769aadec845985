"""A real browser against the preview of each environment, with a real Vite and React app."""
