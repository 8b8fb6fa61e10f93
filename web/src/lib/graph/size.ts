/** Of a card, in rem, so that it grows with the text. */
export const cardWidth = 14;
export const cardHeight = 4.25;
