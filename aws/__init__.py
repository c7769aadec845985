"""The only room that makes boto3 clients: sessions, assumed roles, retries, and AWS's errors turned into ours."""
