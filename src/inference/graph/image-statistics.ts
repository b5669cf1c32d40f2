/** Of ImageNet's RGB in 0..1: every network here takes a picture less the mean, over the deviation. */
export const imageMean = [0.485, 0.456, 0.406] as const
export const imageStd = [0.229, 0.224, 0.225] as const
