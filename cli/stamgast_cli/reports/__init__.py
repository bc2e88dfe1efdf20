"""Reports on segments and on sources: figures as JSON, and the pages made of them."""
