"""What only the U-Net's training needs: a pool of latents and captions, and recipes of what it is trained to do."""
