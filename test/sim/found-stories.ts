/** Stories that showed a bug, as `npm run sim` printed them, under what was wrong. */
export const foundStories: readonly (readonly [string, string])[] = [
  [
    "a stored beat with a flipped bit made the node delete a ledger's entries with its next change",
    `seed 565 layout chain overlay none disclosure OFF
     20212 flip vendor beat 36754
     21663 change flag-6=killed`,
  ],
  [
    "what a writer signed while its clock was ahead was refused until its time had come",
    `seed 519 layout wide overlay plain disclosure OFF
     9970 rule cap/* 900
     10994 jump vendor 900000
     37644 rule cap/flag-8 3400`,
  ],
  [
    "the simulator took a vendor's pin for a lost deletion, where one had been deleted before",
    `seed 1230 layout chain overlay granted disclosure OFF
     111450 rule pin/flag-9 gone
     129169 overreach flag-9 9900`,
  ],
  [
    "a beat that was signed while the clock was ahead, and lost, kept all beats back until its time had come",
    `seed 1285 layout chain overlay granted disclosure OFF
     0 cheat vendor withheld 420000
     333928 jump vendor 900000`,
  ],
  [
    "a beat that was taken while the clock was ahead kept those of a right clock out",
    `seed 1 layout tree overlay granted disclosure OFF
     1000 jump vendor 900000
     1000 jump site-b1 900000
     300000 report vendor 1 1.0.0`,
  ],
  [
    "a node that had not heard of the newest roots could not be promoted, and the simulator took what the former root held for forged",
    `seed 1618 layout chain overlay none disclosure OFF
     1000 partition root vendor 12000
     2000 rotate 1
     3000 change flag-1=4700
     12000 lose-root restored
     40000 change flag-2=100`,
  ],
  [
    "a node that held nothing gave out a token with which nobody followed anything",
    `seed 2245 layout wide overlay none disclosure OFF
     12723 revoke site-b1 22642
     25360 wipe vendor 5897`,
  ],
  [
    "the simulator took a link that it still stalled for one that goes down by itself",
    `seed 2012 layout two-parents overlay none disclosure OFF
     14087 stall mirror 24895
     29425 stall site-b1 23736`,
  ],
  [
    "a parent that had lost its data could not revoke the tokens that it had given out before",
    `seed 7518 layout two-parents overlay none disclosure OFF
     67730 wipe mirror 16329
     134898 revoke site-b1 1409`,
  ],
  [
    "the simulator took a link whose welcome and offer it had lost for one that goes down by itself",
    `seed 12 layout wide overlay none disclosure OFF
     faults lossShare=0.5
     1000 cheat vendor altered-entry 1000
     1100 change flag-1=100
     2500 cut site-a2`,
  ],
  [
    "what a clock that was ahead had made a census forget was taken for unused",
    `seed 567 layout two-parents overlay none disclosure OFF
     12120 ask BELOW 80000 20000
     26619 enroll site-b1 apps
     152568 app site-b1 1.0.0 ends 30853
     294330 jump site-b1 240000
     380412 wait`,
  ],
  [
    "a node that had watched while its clock was ahead was taken to watch when that time came",
    `seed 1 layout tree overlay none disclosure OFF
     1000 enroll site-a1 apps
     5000 ask FEATURE 80000 20000
     10000 jump site-a1 240000
     260000 crash site-a1 1000
     260500 jump site-a1 0
     270000 app site-a1 1.1.0 crashes 90000 feature@80000
     340000 crash site-a1 40000
     550000 wait`,
  ],
  [
    "an app that does not report was not seen at a node that had not been told itself to take part",
    `seed 389 layout wide overlay none disclosure OFF
     1757 enroll site-a2 apps
     5444 ask FEATURE 200000 20000
     77046 app site-a1 1.0.0 mute 357397 feature@214856
     622978 wait`,
  ],
  [
    "the simulator's operator gave no new token where a revocation was durable and its answer lost",
    `seed 2 layout chain overlay none disclosure OFF
     faults crashAfterWriteShare=0.5
     1000 revoke site-a1 7000`,
  ],
  [
    "a node told a site that had been below it what that site had said itself, and instances counted twice",
    `seed 1 layout chain overlay none disclosure EXACT
     2000 loop site-a1 vendor
     110000 report site-a1 9 1.1.0
     150000 revoke site-a1 250000
     151000 crash site-a1 1000
     155000 partition root vendor 200000
     200000 report site-a1 9 1.1.0`,
  ],
  [
    "the simulator went by the true time of a use, where the clock of the only site that saw it was behind",
    `seed 8126 layout chain overlay none disclosure OFF
     731 enroll site-a1 apps
     2636 jump site-a2 -240000
     5144 ask BELOW 120000 20000
     312875 app site-a2 1.0.0 ends 21119 feature@7121`,
  ],
  [
    "the simulator took a use for one of a window long past, because a clock had been set back since",
    `seed 9908 layout two-parents overlay none disclosure EXACT
     709 enroll site-b1 apps
     5781 ask FLAG 200000 60000
     533175 app site-b1 1.1.0 ends 454610 flag@17667 flag@149243
     675927 jump site-b1 -240000
     780000 wait`,
  ],
  [
    "the simulator held against a node what its former disk had sent, which came in after it was lost",
    `seed 1 layout two-parents overlay none disclosure ROUNDED
     faults delayMsMax=2812
     60000 partition vendor site-a1 60000
     60000 partition mirror site-a1 60000
     136000 restore site-a1 200
     136250 partition vendor site-a1 100000
     400000 wait`,
  ],
  [
    "a parent whose history was damaged sent the same delta again and again, which the child never took",
    `seed 20101 layout tree overlay none disclosure OFF
     faults lossShare=0.009782 delayMsMax=2854 tickLagMsMax=744 writeFailureShare=0.013766
     45520 change flag-4=2900
     51889 change flag-3=4600 flag-5=800
     53733 change flag-9=1000 flag-6=gone flag-2=4400
     55345 flip vendor history 68464`,
  ],
  [
    "the simulator took what came to a node that was paused for heard, and a beat for one about too much",
    `seed 900243 layout tree overlay plain disclosure OFF
     faults lossShare=0.162334 duplicateShare=0.054226 delayMsMax=1864 tornWriteShare=0.003959 crashAtEffectShare=0.000064
     10219 pause site-a1 14415
     11861 pause vendor 26424
     12499 change flag-0=killed flag-7=gone
     12932 change flag-3=7100
     14067 pause root 31791
     397067 fleet ill`,
  ],
  [
    "a change was folded with the grants of now, and all else with those of before",
    `seed 41219 layout chain overlay granted disclosure OFF
     faults tickLagMsMax=951 natsLossShare=0.411193 natsDelayMsMax=4410 tornWriteShare=0.001235 crashAfterWriteShare=0.004085 crashAtEffectShare=0.002593
     22410 rule pin/flag-1 100
     24387 rule pin/flag-5 1500
     24981 report site-a2 4 1.1.0
     40563 rule pin/flag-2 4100
     42289 change flag-6=4600 flag-0=8700 flag-1=200
     50796 change flag-5=6700 flag-7=gone flag-4=killed`,
  ],
  [
    "the simulator took a token for one that is shown, though the disk of who got it had failed",
    `seed 42303 layout tree overlay granted disclosure OFF
     faults truncateShare=0.026424 delayMsMax=2532 writeFailureShare=0.044527 tornWriteShare=0.000648 crashAtEffectShare=0.000252
     2158 ramp 1 2 judged
     5500 change flag-0=killed
     7149 fleet well
     23898 expire vendor 20408 31541
     33667 overreach flag-3 9900
     101131 fleet well`,
  ],
  [
    "the simulator took two trials of a node without a clock for one, as both began at the first of all times",
    `seed 43691 layout chain overlay none disclosure OFF
     20466 fleet well
     26098 no-clock site-a2 35837
     33694 report site-a1 8 1.1.0
     36840 no-clock site-a2 339
     44441 no-clock site-a2 784
     44983 report site-a2 3 1.1.0`,
  ],
  [
    "the simulator took a grant that a jump of a clock had ended for one that is noticed at once",
    `seed 1 layout chain overlay granted disclosure OFF
     faults tickLagMsMax=2368
     1000 rule pin/* 2300
     1500 change flag-1=4000
     43100 jump site-a1 900000`,
  ],
  [
    "the simulator counted the grants of a promotion that failed, and was tried again, twice",
    `seed 1879 layout wide overlay granted disclosure ROUNDED
     faults natsDelayMsMax=4446 writeFailureShare=0.016831
     0 cheat vendor withheld 420000
     1181 loop vendor root
     2005 report site-b1 5 1.1.0
     21486 report site-a2 4 1.0.0
     32353 report vendor 5 1.0.0
     34232 change flag-1=7700
     65779 report site-a1 8 1.0.0
     66021 change flag-3=2400
     77705 change flag-0=4100 flag-5=10000 flag-4=gone
     90389 report vendor 5 1.1.0
     94407 change flag-1=killed flag-4=3800
     97186 change flag-2=9400 flag-6=1900 flag-1=4100
     104198 change flag-5=killed flag-4=killed
     106334 lose-root`,
  ],
  [
    "the simulator took it for a fault that a parent of protocol 1 is dialled anew when its bar ends",
    `seed 95059 layout two-parents overlay none disclosure OFF
     27717 crash vendor 6243
     31323 mirror-rule cap/* 2600
     109785 fleet well
     214005 fleet well
     269065 fleet well
     270135 fleet well
     290514 jump mirror 900000
     390282 protocol site-a1 1 13236
     413790 fleet well`,
  ],
  [
    "a node told the others of its site, whenever they asked, of documents that it had sent while its clock was ahead, and they refused them",
    `seed 1200474 layout wide overlay granted disclosure ROUNDED
     faults lossShare=0.105941 truncateShare=0.03038 unknownFieldsShare=0.115747 delayMsMax=44 natsLossShare=0.042206 tornWriteShare=0.003409
     15215 report vendor 4 9.9.9
     15336 change flag-4=newer flag-2=1700 flag-0=5000
     15550 change flag-1=5000 flag-5=killed
     20497 nats-down site-b 26512
     22047 nats-down site-a 26221
     22345 rule kill/* 1000
     25540 cheat root altered-entry 8762
     26268 jump site-a2 900000
     27575 cheat vendor mixed-ledgers 16199`,
  ],
  [
    "two nodes of a site, one of which had looked at a release alone, never came to the same about it, and told each other for ever",
    `seed 1200753 layout chain overlay none disclosure OFF
     faults tickLagMsMax=1250 natsDelayMsMax=2813 tornWriteShare=0.007759
     230 report site-a2 4 1.1.0
     2785 nats-split site-a2 19490
     9881 report site-a1 6 1.0.0
     10617 nats-split site-a1 6581
     13798 change flag-6=killed flag-7=gone
     23057 nats-split site-a2 56814
     59833 change flag-6=3700 flag-0=4500`,
  ],
  [
    "a node whose clock had been ahead was believed by no other of its site, in what it saw for censuses, until that time had come",
    `seed 1200442 layout chain overlay none disclosure OFF
     1072 enroll site-a2 apps
     17859 ask FEATURE 80000 60000
     407056 jump site-a2 900000
     468000 wait`,
  ],
  [
    "the simulator held a head that a disk had damaged against the trust of who had not taken it",
    `seed 8813114 layout tree overlay none disclosure OFF
     157745 flip site-b1 head 67144`,
  ],
  [
    "the simulator took a document for a repetition that came again to a parent whose clock was set back",
    `seed 8812030 layout tree overlay none disclosure ROUNDED
     faults crashAtEffectShare=0.00268
     367807 jump site-b1 240000
     374691 jump vendor -240000
     389206 jump site-b1 -240000`,
  ],
];
