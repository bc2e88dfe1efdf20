"""The whole product on this machine: an emulator, the front, and the real CDK command line."""
