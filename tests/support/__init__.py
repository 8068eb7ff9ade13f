"""What the tests share: a server process, an HTTP client, users, an analytics oracle."""
