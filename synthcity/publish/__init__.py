"""What is proven leaves the house, and comes back checked: gate, Hugging Face Hub, model card, pull."""
