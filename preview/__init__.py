"""The built assembly as a site on localhost: what CloudFront, S3 and the edge functions would answer, from the emitted templates alone.

In: an assembly directory (assembly.json and templates), a folder or bucket with the site's files, the preview's own credential.
Out: an HTTP server on 127.0.0.1, or the explanation of one request.
Never: reads stacks/, policies/ or environments/, talks to AWS, listens on another address, stores a credential or a private key.
"""
