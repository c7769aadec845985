"""One edge location of CloudFront: a viewer's request through behaviour, functions, cache and origin, and back."""
