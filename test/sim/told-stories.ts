/** Stories that were written by hand, for what seeds seldom show, under what they are about. */
export const toldStories: readonly (readonly [string, string])[] = [
  [
    "what a census has to doubt is kept over a restart",
    `seed 1 layout tree overlay none disclosure OFF
     1000 enroll site-a1 apps
     5000 ask FEATURE 80000 20000
     120000 app site-a1 1.1.0 mute 20000 feature@10000
     212000 crash site-a1 1000
     260000 wait`,
  ],
  [
    "a use that is heard of in the next window counts for the one before too",
    `seed 18 layout tree overlay none disclosure OFF
     faults lossShare=0.8
     1000 enroll site-a1 apps
     5000 ask FEATURE 80000 20000
     110000 app site-a1 1.1.0 stays 0 feature@74500
     250000 wait`,
  ],
  [
    "a site that takes part since the middle of a window is not passed over",
    `seed 1 layout tree overlay none disclosure EXACT
     1000 enroll vendor no-apps
     1000 enroll site-a1 apps
     5000 ask FEATURE 80000 20000
     107000 enroll site-b1 apps
     115000 app site-b1 1.1.0 ends 60000 feature@50000
     360000 wait`,
  ],
  [
    "what a parent heard while its clock was ahead may be told again",
    `seed 81990 layout tree overlay none disclosure EXACT
     13683 jump root 240000
     77478 jump vendor 240000`,
  ],
  [
    "a root that was lost on its way is asked for once a beat knows of it",
    `seed 81510 layout tree overlay granted disclosure OFF
     faults lossShare=0.26749 duplicateShare=0.27619 delayMsMax=32 tickLagMsMax=10
     22483 ungrant`,
  ],
  [
    "a pin ends with the root that had granted it",
    `seed 2 layout chain overlay granted disclosure OFF
     1000 change flag-9=100
     10000 rule pin/flag-9 4000
     40000 ungrant`,
  ],
  [
    "what is signed by who knows of a new root is not taken by those who are kept from it",
    `seed 3 layout chain overlay granted disclosure OFF
     1000 change flag-9=100
     10000 rule pin/flag-9 4000
     30000 cheat root withheld-trust 120000
     40000 ungrant
     45000 change flag-9=200
     60000 change flag-9=300`,
  ],
];
