"""The live site, held to its contract from outside."""
