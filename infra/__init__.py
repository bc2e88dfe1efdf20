"""The CDK app: two stacks, the stages in data order, and the blocks they are made of."""
