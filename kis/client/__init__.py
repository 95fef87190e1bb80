"""Client of the KIS Open API in four layers: protocol, transport, session, endpoints. No Django inside."""
